"""What holds today and why: the rule's values, priced-in policy, surges."""
