"""Many runs, read back. Knows the files of every run dir in the wild; changes none."""
