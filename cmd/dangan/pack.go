package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"dangan/archive"
	"dangan/storage"
)

// pack is the ready documents of one shard of the records, one JSON object a line,
// compressed.
type pack struct {
	packs *storage.Packs
	shard string
}

// read yields what the pack holds; nothing when there is none.
func (p pack) read(ctx context.Context) iter.Seq2[archive.Document, error] {
	return func(yield func(archive.Document, error) bool) {
		raw, err := p.packs.Get(ctx, p.shard)
		if errors.Is(err, archive.ErrNotFound) {
			return
		}
		var lines io.Reader
		if err == nil {
			lines, err = gzip.NewReader(bytes.NewReader(raw))
		}
		if err != nil {
			yield(archive.Document{}, err)
			return
		}
		for next := json.NewDecoder(lines); ; {
			var d archive.Document
			err := next.Decode(&d)
			if err == io.EOF || !yield(d, err) || err != nil {
				return
			}
		}
	}
}

// write replaces the pack. Documents that are too many for one are not kept: they are
// made from the chains then, which takes longer.
func (p pack) write(ctx context.Context, docs []archive.Document) error {
	var raw bytes.Buffer
	lines, err := gzip.NewWriterLevel(&raw, gzip.BestSpeed)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(lines)
	for _, d := range docs {
		if err := encoder.Encode(d); err != nil {
			return fmt.Errorf("write pack: %w", err)
		}
		if raw.Len() > storage.MaxPack {
			return p.packs.Delete(ctx, p.shard)
		}
	}
	if err := lines.Close(); err != nil {
		return fmt.Errorf("write pack: %w", err)
	}
	return p.packs.Put(ctx, p.shard, raw.Bytes())
}
