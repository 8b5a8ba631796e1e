# SPDX-License-Identifier: MIT

dist_man_MANS += %D%/man/dlazy.1 %D%/man/dlazy-run.1 %D%/man/dlazy-stub.1 \
	%D%/man/dlazy-report.1 %D%/man/dlazy-trace.1 %D%/man/dlazy.3 \
	%D%/man/dlazy-demand.3 %D%/man/dlazy-lifecycle.3 %D%/man/dlazy-probes.7

# Each function's page is that of all.
API_MANS = \
	%D%/man/dlazy_bind.3 \
	%D%/man/dlazy_call.3 \
	%D%/man/dlazy_check.3 \
	%D%/man/dlazy_close.3 \
	%D%/man/dlazy_dladdr.3 \
	%D%/man/dlazy_dlclose.3 \
	%D%/man/dlazy_dlerror.3 \
	%D%/man/dlazy_dlinfo.3 \
	%D%/man/dlazy_dlopen.3 \
	%D%/man/dlazy_dlsym.3 \
	%D%/man/dlazy_dlvsym.3 \
	%D%/man/dlazy_error.3 \
	%D%/man/dlazy_forbid_loading.3 \
	%D%/man/dlazy_last_status.3 \
	%D%/man/dlazy_load.3 \
	%D%/man/dlazy_module_metadata.3 \
	%D%/man/dlazy_module_name.3 \
	%D%/man/dlazy_module_path.3 \
	%D%/man/dlazy_module_property.3 \
	%D%/man/dlazy_module_state.3 \
	%D%/man/dlazy_observe.3 \
	%D%/man/dlazy_on_failure.3 \
	%D%/man/dlazy_open.3 \
	%D%/man/dlazy_prefetch.3 \
	%D%/man/dlazy_read_constant.3 \
	%D%/man/dlazy_registry_add_builtin.3 \
	%D%/man/dlazy_registry_add_dir.3 \
	%D%/man/dlazy_registry_add_file.3 \
	%D%/man/dlazy_registry_add_path.3 \
	%D%/man/dlazy_registry_catalog_state.3 \
	%D%/man/dlazy_registry_count.3 \
	%D%/man/dlazy_registry_find.3 \
	%D%/man/dlazy_registry_free.3 \
	%D%/man/dlazy_registry_interface.3 \
	%D%/man/dlazy_registry_new.3 \
	%D%/man/dlazy_registry_next.3 \
	%D%/man/dlazy_resolve.3 \
	%D%/man/dlazy_sym.3 \
	%D%/man/dlazy_sym_closure.3 \
	%D%/man/dlazy_trace_write.3 \
	%D%/man/dlazy_unbind.3 \
	%D%/man/dlazy_unload.3 \
	%D%/man/dlazy_unobserve.3 \
	%D%/man/dlazy_version.3
# What is loaded when, and in whose place.
DEMAND_MANS = \
	%D%/man/dlazy_fallback.3 \
	%D%/man/dlazy_job_fd.3 \
	%D%/man/dlazy_job_free.3 \
	%D%/man/dlazy_job_next.3 \
	%D%/man/dlazy_job_raise.3 \
	%D%/man/dlazy_load_async.3 \
	%D%/man/dlazy_on_load.3 \
	%D%/man/dlazy_registry_filter.3 \
	%D%/man/dlazy_registry_provider.3
# Of <dlazy/lifecycle.h>, the rest.
LIFECYCLE_MANS = \
	%D%/man/dlazy_pin.3 \
	%D%/man/dlazy_registry_limit.3 \
	%D%/man/dlazy_registry_quarantine.3 \
	%D%/man/dlazy_registry_refresh.3 \
	%D%/man/dlazy_registry_trim.3 \
	%D%/man/dlazy_seal.3 \
	%D%/man/dlazy_unpin.3 \
	%D%/man/dlazy_registry_watch.3 \
	%D%/man/dlazy_reload.3
man_MANS = $(API_MANS) $(DEMAND_MANS) $(LIFECYCLE_MANS)
CLEANFILES += $(API_MANS) $(DEMAND_MANS) $(LIFECYCLE_MANS)

$(API_MANS):
	$(AM_V_GEN)$(MKDIR_P) $(@D) && echo '.so man3/dlazy.3' >$@

$(DEMAND_MANS):
	$(AM_V_GEN)$(MKDIR_P) $(@D) && echo '.so man3/dlazy-demand.3' >$@

$(LIFECYCLE_MANS):
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
		echo '.so man3/dlazy-lifecycle.3' >$@

# Manual pages and README.md name them.
dist_doc_DATA = README.md NEWS SECURITY.md %D%/abi.md %D%/design.md \
	%D%/hosts.md %D%/limits.md %D%/performance.md %D%/stub.md %D%/measuring.md \
	%D%/laziness.md %D%/migrating.md \
	%D%/reliability.md %D%/trace-format.md

# Of <dlazy/query.h>.
dist_man_MANS += %D%/man/dlazy-query.3
QUERY_MANS = \
	%D%/man/dlazy_cursor_close.3 \
	%D%/man/dlazy_cursor_module.3 \
	%D%/man/dlazy_cursor_next.3 \
	%D%/man/dlazy_registry_query.3
man_MANS += $(QUERY_MANS)
CLEANFILES += $(QUERY_MANS)
$(QUERY_MANS):
	$(AM_V_GEN)$(MKDIR_P) $(@D) && echo '.so man3/dlazy-query.3' >$@

# For authors of hosts and plugins.
EXTRA_DIST += %D%/README.md %D%/picture %D%/report.svg
schemadir = $(datadir)/dlazy
dist_schema_DATA = %D%/plugin.schema.json

# The README's picture of a report.
picture: stage
	$(AM_TESTS_ENVIRONMENT) DLAZY='$(STAGE)$(bindir)/dlazy' \
		$(srcdir)/%D%/picture $(srcdir)/%D%/report.svg
PHONY += picture
