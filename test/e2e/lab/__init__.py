"""The laboratory: a small internet of real servers, right ones and broken ones. table.py has a row for each fixture; the other
files start what the rows need, once for all of them. test/e2e/test_lab.py walks the rows."""
