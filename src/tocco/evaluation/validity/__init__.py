"""Validity of the ratings that people see."""
