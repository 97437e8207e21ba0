package io.hammer2.tools;

import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.NameText;
import java.util.UUID;

/**
 * A PFS in a listing.
 *
 * @param type as shown: MASTER, SNAPSHOT, ...
 * @param label as shown
 */
record PfsRow(String type, String label, UUID clid, UUID fsid, long nameKey) {
    static PfsRow of(InodeBlock root) {
        return new PfsRow(
                PfsTypeText.of(root.pfsTypeCode(), root.pfsSubtype()),
                NameText.of(root.name()),
                root.pfsClid(),
                root.pfsFsid(),
                root.nameKey());
    }

    void write(JsonWriter json) {
        json.beginObject()
                .member("type", type)
                .member("label", label)
                .member("clid", clid.toString())
                .member("fsid", fsid.toString())
                .member("key", Key.text(nameKey))
                .endObject();
    }
}
