/* SPDX-License-Identifier: MIT */
/*
 * Who imports data from whom, for all ELF files of the index together.
 */
#ifndef LINK_INDEX_IMPORTERS_H
#define LINK_INDEX_IMPORTERS_H

#include "link/index/tables.h"

/*
 * Fills the lists TABLE_IMPORTERS, which have TABLES_NONE so far. `keys` are
 * those of the tables. 0 or -DLAZY_ENOMEM.
 */
int importers_find(const struct tables *tables, uint64_t *keys);

#endif
