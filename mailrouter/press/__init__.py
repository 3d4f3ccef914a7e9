"""What readers are given: editions of notes become files, and a folder of them takes the old one's place at once."""
