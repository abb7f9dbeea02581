package reader

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzSniff holds that what is read as a document begins as one, and that no
// file can become another one by what follows its first bytes.
func FuzzSniff(f *testing.F) {
	for _, m := range magics() {
		f.Add([]byte(strings.Repeat("\x00", m.offset) + m.magic))
	}
	f.Add([]byte("\xEF\xBB\xBF\r\n%PDF-1.7"))
	f.Add([]byte("GIF89a%PDF-1.7"))
	f.Fuzz(func(t *testing.T, head []byte) {
		got := sniff(head)
		start := map[string]string{typePDF: "%PDF-", typeJPEG: "\xFF\xD8\xFF", typePNG: "\x89PNG\r\n\x1A\n"}[got]
		if start == "" {
			return
		}
		if got != typePDF && !bytes.HasPrefix(head, []byte(start)) {
			t.Errorf("%q is taken for %s", head, got)
		}
		if blanks, _, ok := bytes.Cut(head, []byte(start)); !ok || len(bytes.Trim(blanks, "\xEF\xBB\xBF\x00\t\n\f\r ")) > 0 {
			t.Errorf("%q is taken for %s", head, got)
		}
		if longer := sniff(append(bytes.Clone(head), "%PDF-1.7 OFD.xml"...)); longer != got {
			t.Errorf("%q is %s, but %s with more behind it", head, got, longer)
		}
	})
}
