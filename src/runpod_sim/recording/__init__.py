"""Recordings of an account's traffic, without what identifies it.

proxy       passes requests on to RunPod and keeps what was said
redaction   replaces keys, ids, addresses and values
tape        a recording as a file: exchanges in their order
player      serves a recording
"""
