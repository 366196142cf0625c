"""Load from `wrk`: as much as 32 connections take, with requests drawn at random from a file."""
