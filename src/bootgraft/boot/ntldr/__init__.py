"""From ntldr and boot.ini to Windows NT 4 to Server 2003, and from FreeLoader to ReactOS."""
