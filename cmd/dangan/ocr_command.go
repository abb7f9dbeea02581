package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/peterbourgon/ff/v4"

	"dangan/archive"
	"dangan/storage"
)

func ocrCommand(c console) *ff.Command {
	var s settings
	flags := s.flags("ocr")
	return &ff.Command{
		Name: "ocr", Usage: "dangan ocr [FLAGS]", Flags: flags,
		ShortHelp: "have the scans read of records that came in before tesseract was installed",
		LongHelp:  "It plans the work, which dangan serve does, one page after the other, when there is nothing else to do.",
		Exec: func(ctx context.Context, _ []string) error {
			h, closeHouse, err := s.openConfigured(ctx, c, flags)
			if err != nil {
				return err
			}
			defer closeHouse()
			if h.recognizer == nil {
				return errors.New("ocr: tesseract with its model chi_sim is not installed here, or --ocr is off")
			}
			n, err := h.awaitScans(ctx)
			if err != nil {
				return fmt.Errorf("ocr: %w", err)
			}
			_, err = fmt.Fprintf(c.stdout, "%d records have scans to be read.\n", n)
			return err
		},
	}
}

// awaitScans plans that the scans of all records are read that have not been, and
// tells how many records that are. The packs of ready documents go first: they would
// bring back documents without the text.
func (h *house) awaitScans(ctx context.Context) (n int, err error) {
	for _, shard := range storage.Shards() {
		if err := h.bucket.Packs().Delete(ctx, shard); err != nil {
			return 0, err
		}
	}
	for id, err := range h.records.IDs(ctx) {
		if err != nil {
			return n, err
		}
		waits, err := h.holdings.AwaitScans(ctx, id)
		switch {
		case errors.Is(err, archive.ErrCorrupt): // fsck says what; all others shall be read
			h.log.ErrorContext(ctx, "record left out", "record", id, "error", err)
		case err != nil && !errors.Is(err, archive.ErrNotFound): // a deposit that was abandoned
			return n, err
		case waits:
			n++
		}
	}
	return n, nil
}
