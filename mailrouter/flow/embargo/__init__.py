"""What the participants agree to about the date of publication: proposed, answered, agreed, ended, told."""
