package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class MountTableTest {
    private static final String TABLE = """
            22 26 0:21 / /proc rw,relatime shared:5 - proc proc rw
            36 26 0:31 / /mnt/a\\040b ro,nosuid - fuse.hammer2 my\\040image\\134x@DATA ro,user_id=0
            37 36 0:32 / /mnt/a\\040b ro shared:1 master:2 - fuse.other src ro
            short line
            """;

    @Test
    void the_last_mount_at_a_place_is_the_topmost() {
        MountTable.Entry entry = MountTable.topmost(TABLE, "/mnt/a b").orElseThrow();
        assertEquals(37, entry.id());
        assertEquals("0:32", entry.device());
        assertEquals("fuse.other", entry.type());
        assertEquals("src", entry.source());
    }

    @Test
    void escaped_characters_are_read_back() {
        String firstTwo = TABLE.lines().limit(2).reduce("", (a, b) -> a + b + "\n");
        assertEquals(
                "my image\\x@DATA",
                MountTable.topmost(firstTwo, "/mnt/a b").orElseThrow().source());
    }

    @Test
    void a_place_without_a_mount_has_none() {
        assertTrue(MountTable.topmost(TABLE, "/mnt").isEmpty());
    }
}
