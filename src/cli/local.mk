# SPDX-License-Identifier: MIT
# The tool: one file per subcommand.
