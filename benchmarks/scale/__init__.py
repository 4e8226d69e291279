"""Plan for many images and many devices: measured rates, what follows from them, simulations."""
