"""The city's data-sharing hub and the departments behind it: civil affairs and public security."""
