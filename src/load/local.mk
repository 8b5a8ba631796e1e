# SPDX-License-Identifier: MIT

# Filled as the layer is written.
