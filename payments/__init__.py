"""Money: what is owed, how a resident tries to pay it, and what a wallet says became of it. Amounts in whole fen."""
