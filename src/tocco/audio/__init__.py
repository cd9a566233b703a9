"""What a microphone heard."""
