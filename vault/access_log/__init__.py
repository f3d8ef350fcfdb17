"""The access log as its readers use it: entries, proofs, statistics, exports, retention."""
