"""What a person at a terminal reads: lines, and a picture that is drawn anew."""
