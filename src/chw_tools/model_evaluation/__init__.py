"""How good a risk is: discrimination, calibration, benefit, and for whom."""
