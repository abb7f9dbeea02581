package demo

import (
	"testing"

	"dangan/archive"
)

// TestEverythingCanBeTyped draws every record of the demonstration as a typed
// page, which fails for a character that is not in the fonts and for words that
// have no room.
func TestEverythingCanBeTyped(t *testing.T) {
	t.Parallel()
	s, err := archive.DefaultSchema()
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPainter()
	if err != nil {
		t.Fatal(err)
	}
	for d := range Records(Seed, 300) {
		c, _ := s.Category(d.Record.Category)
		if _, err := d.typed(p, c); err != nil {
			t.Errorf("%s: %v", d.Key, err)
		}
	}
}
