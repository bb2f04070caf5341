"""Are disks, volumes and letters still called what Windows calls them?"""
