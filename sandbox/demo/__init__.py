"""One real case, from login to a certificate that verifies, seen from the phones and the officer's desk."""
