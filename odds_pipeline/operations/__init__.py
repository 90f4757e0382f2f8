"""What only a server deployment needs: workers, their health, the move up from one machine."""
