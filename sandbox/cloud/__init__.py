"""The local cloud: the emulator with our corrections, the deployment to it, and the processes of both."""
