# SPDX-License-Identifier: MIT
"""What the rows of make bench share."""
