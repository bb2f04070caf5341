"""Registry hives and their logs, damaged at random: nothing may crash, hang, use up memory or write."""
