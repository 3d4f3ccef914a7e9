"""An analyst's orders by signed mail."""
