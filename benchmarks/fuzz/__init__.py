"""What bootgraft reads, damaged at random: nothing may crash, hang, use up memory or write."""
