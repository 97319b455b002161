"""The order page of Kettle & Crumb."""
