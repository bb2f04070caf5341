"""Write ``_libntfs.py``, what cffi needs to reach libntfs-3g in out-of-line ABI mode: run this module after a change.

Declared are the functions that are called, and of the structures only what is touched. A structure that stops short
of its end here (its name is in ``PREFIXES``) is only ever reached through a pointer that the library gave. The
source of the declarations is the headers of libntfs-3g-dev 2022.10.3 (``/usr/include/ntfs-3g``); a test compiles
them against the headers and compares every offset.
"""

import tempfile
from pathlib import Path

import cffi

PREFIXES = ("ntfs_device", "_ntfs_volume", "_ntfs_inode", "_ntfs_attr_search_ctx")
"""Structures of which only the beginning is declared."""

DECLARATIONS = """
struct ntfs_device;
typedef struct _ntfs_volume ntfs_volume;
typedef struct _ntfs_inode ntfs_inode;
struct _ntfs_attr;

struct ntfs_device_operations {
    int (*open)(struct ntfs_device *, int);
    int (*close)(struct ntfs_device *);
    int64_t (*seek)(struct ntfs_device *, int64_t, int);
    int64_t (*read)(struct ntfs_device *, void *, int64_t);
    int64_t (*write)(struct ntfs_device *, const void *, int64_t);
    int64_t (*pread)(struct ntfs_device *, void *, int64_t, int64_t);
    int64_t (*pwrite)(struct ntfs_device *, const void *, int64_t, int64_t);
    int (*sync)(struct ntfs_device *);
    int (*stat)(struct ntfs_device *, void *);
    int (*ioctl)(struct ntfs_device *, unsigned long, void *);
};

struct ntfs_device {
    struct ntfs_device_operations *d_ops;
    unsigned long d_state;
};

struct _ntfs_volume {
    struct ntfs_device *dev;
    char *vol_name;
    unsigned long state;
    ntfs_inode *vol_ni;
    uint8_t major_ver;
    uint8_t minor_ver;
    uint16_t flags;
    uint16_t sector_size;
    uint8_t sector_size_bits;
    uint32_t cluster_size;
    uint32_t mft_record_size;
    uint32_t indx_record_size;
    uint8_t cluster_size_bits;
    uint8_t mft_record_size_bits;
    uint8_t indx_record_size_bits;
    uint8_t mft_zone_multiplier;
    uint8_t full_zones;
    int64_t mft_data_pos;
    int64_t mft_zone_start;
    int64_t mft_zone_end;
    int64_t mft_zone_pos;
    int64_t data1_zone_pos;
    int64_t data2_zone_pos;
    int64_t nr_clusters;
    ntfs_inode *lcnbmp_ni;
    struct _ntfs_attr *lcnbmp_na;
};

struct _ntfs_inode {
    uint64_t mft_no;
    uint8_t *mrec;
    ntfs_volume *vol;
    unsigned long state;
    uint32_t flags;
};

typedef struct _runlist_element {
    int64_t vcn;
    int64_t lcn;
    int64_t length;
} runlist_element;

typedef struct _ntfs_attr {
    runlist_element *rl;
    ntfs_inode *ni;
    uint32_t type;
    uint16_t data_flags;
    uint16_t *name;
    uint32_t name_len;
    unsigned long state;
    int64_t allocated_size;
    int64_t data_size;
    int64_t initialized_size;
    int64_t compressed_size;
    uint32_t compression_block_size;
    uint8_t compression_block_size_bits;
    uint8_t compression_block_clusters;
    int8_t unused_runs;
} ntfs_attr;

typedef struct _ntfs_attr_search_ctx {
    uint8_t *mrec;
    uint8_t *attr;
    int is_first;
    ntfs_inode *ntfs_ino;
} ntfs_attr_search_ctx;

typedef int ntfs_log_handler(const char *, const char *, int, uint32_t, void *, const char *, void *);

extern uint16_t AT_UNNAMED[];
extern uint16_t NTFS_INDEX_I30[5];

struct ntfs_device *ntfs_device_alloc(const char *, long, struct ntfs_device_operations *, void *);
int ntfs_device_free(struct ntfs_device *);

ntfs_volume *ntfs_device_mount(struct ntfs_device *, unsigned long);
int ntfs_umount(ntfs_volume *, int);
int ntfs_logfile_reset(ntfs_volume *);
int ntfs_volume_write_flags(ntfs_volume *, const uint16_t);

ntfs_inode *ntfs_inode_open(ntfs_volume *, uint64_t);
int ntfs_inode_close(ntfs_inode *);
void ntfs_inode_update_times(ntfs_inode *, int);
int ntfs_inode_set_times(ntfs_inode *, const char *, size_t, int);
uint64_t ntfs_inode_lookup_by_name(ntfs_inode *, const uint16_t *, int);
ntfs_inode *ntfs_create(ntfs_inode *, uint32_t, const uint16_t *, uint8_t, unsigned int);
int ntfs_forbidden_names(ntfs_volume *, const uint16_t *, int, int);

ntfs_attr_search_ctx *ntfs_attr_get_search_ctx(ntfs_inode *, uint8_t *);
void ntfs_attr_put_search_ctx(ntfs_attr_search_ctx *);
int ntfs_attr_lookup(uint32_t, const uint16_t *, uint32_t, int, int64_t, const uint8_t *, uint32_t,
                     ntfs_attr_search_ctx *);
ntfs_attr *ntfs_attr_open(ntfs_inode *, uint32_t, uint16_t *, uint32_t);
void ntfs_attr_close(ntfs_attr *);
int64_t ntfs_attr_pread(ntfs_attr *, int64_t, int64_t, void *);
int64_t ntfs_attr_pwrite(ntfs_attr *, int64_t, int64_t, const void *);
int64_t ntfs_attr_mst_pread(ntfs_attr *, int64_t, int64_t, uint32_t, void *);
int ntfs_attr_truncate(ntfs_attr *, int64_t);
int ntfs_attr_map_whole_runlist(ntfs_attr *);
int ntfs_attr_exist(ntfs_inode *, uint32_t, const uint16_t *, uint32_t);
int ntfs_attr_add(ntfs_inode *, uint32_t, uint16_t *, uint8_t, const uint8_t *, int64_t);
int ntfs_attr_remove(ntfs_inode *, uint32_t, uint16_t *, uint32_t);
int ntfs_remove_ntfs_reparse_data(ntfs_inode *);

int ntfs_check_logfile(ntfs_attr *, uint8_t **);
int ntfs_is_logfile_clean(ntfs_attr *, uint8_t *);

void ntfs_log_set_handler(ntfs_log_handler *);
uint32_t ntfs_log_set_levels(uint32_t);
uint32_t ntfs_log_clear_levels(uint32_t);
int ntfs_set_char_encoding(const char *);

void free(void *);
int vsnprintf(char *, size_t, const char *, void *);
"""


HEADER = '''"""Generated by _libntfs_build.py; do not edit."""

# ruff: noqa: E501
# fmt: off
# mypy: ignore-errors
'''

TARGET = Path(__file__).with_name("_libntfs.py")


def generate() -> str:
    """Return the text of ``_libntfs.py``."""
    builder = cffi.FFI()
    builder.cdef(DECLARATIONS)
    builder.set_source("bootgraft.filesystems.ntfs._libntfs", None)
    with tempfile.TemporaryDirectory() as folder:
        emitted = Path(folder, "_libntfs.py")
        builder.emit_python_code(str(emitted))
        return HEADER + emitted.read_text()


if __name__ == "__main__":
    TARGET.write_text(generate())
