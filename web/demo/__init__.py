"""The demo: invented people with invented papers, on real parts."""
