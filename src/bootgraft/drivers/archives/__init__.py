"""Where driver packages lie: folders, floppies, and archives that are read member by member, in memory."""
