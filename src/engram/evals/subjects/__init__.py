"""What is put to the test: engram itself, and the baselines that every table shows."""
