"""The cloud: pods, volumes and money behind both APIs.

cloud       all state of one simulator; creates, starts, stops, ends and charges pods
placement   the place that a new pod gets
lookups     the template, credential and volume that a body names
volumes     network volumes; account: secrets and registry credentials
billing     bills from meters, by time bucket
ledger      pods, money and requests so far, as the judge and `--ledger` read them
"""
