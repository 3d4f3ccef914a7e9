"""The tests: pure rules by tables and Hypothesis, the program as a black box with real servers and real mail."""
