"""What Python loads by itself in each process that is profiled: this folder is put on its path."""
