"""Many runs, read back. Knows the files of every run dir in the wild; knows no terminal and changes nothing."""
