package io.hammer2.tools;

import io.hammer2.fs.PfsInfo;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.NameText;
import io.hammer2.fs.pfs.Label;
import java.lang.foreign.ValueLayout;
import java.util.UUID;

/**
 * A PFS in a listing.
 *
 * @param type as shown: MASTER, SNAPSHOT, ...
 */
record PfsRow(String type, Label name, UUID clid, UUID fsid, long nameKey) {
    static PfsRow of(InodeBlock root) {
        return new PfsRow(
                PfsTypeText.of(root.pfsTypeCode(), root.pfsSubtype()),
                Label.of(root.name()),
                root.pfsClid(),
                root.pfsFsid(),
                root.nameKey());
    }

    static PfsRow of(PfsInfo pfs) {
        return new PfsRow(
                PfsTypeText.of(pfs.type(), pfs.subtype()),
                Label.of(pfs.labelBytes().toArray(ValueLayout.JAVA_BYTE)),
                pfs.clid(),
                pfs.fsid(),
                pfs.nameKey());
    }

    /** Its name as shown. */
    String label() {
        return NameText.of(name.bytes());
    }

    void write(JsonWriter json) {
        json.beginObject()
                .member("type", type)
                .member("label", label())
                .member("clid", clid.toString())
                .member("fsid", fsid.toString())
                .member("key", Key.text(nameKey))
                .endObject();
    }
}
