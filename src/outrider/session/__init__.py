"""Sessions: decide, fold, pending; one actor a session; effects at the edge."""
