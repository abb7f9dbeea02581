package desk

import (
	"context"
	"fmt"
	"slices"

	"dangan/archive"
)

// choose notes which pages of the matched record are to be copied, after the door
// has let the actor look at its files.
func (d *Room) choose(ctx context.Context, actor archive.Actor, r *archive.Request, pages []archive.CopyPage) error {
	if r.Service != archive.ServiceCopy {
		return archive.Problems{{Code: "no_copy_wanted", Field: "step"}}
	}
	view, err := d.c.Files.Open(ctx, actor, archive.Purpose{Code: archive.ForRequest, Case: r.ID}, r.Record)
	if err != nil {
		return fmt.Errorf("choose pages: %w", err)
	}
	chosen, err := archive.NewCopy(pages, view)
	if err != nil {
		return err
	}
	r.Copy = &chosen
	return nil
}

// reviewCopy looks once more at the files that pages were chosen of: what the
// reviewer has before him is what will be certified.
func (d *Room) reviewCopy(ctx context.Context, actor archive.Actor, r *archive.Request, m archive.Move) error {
	pages := m.Pages
	if len(pages) == 0 && r.Copy != nil {
		pages = r.Copy.Pages
	}
	return d.choose(ctx, actor, r, pages)
}

// chose reports whether the actor has had a hand in choosing the pages since the
// request was matched last.
func chose(r archive.Request, actor string) bool {
	for _, e := range slices.Backward(r.Events) {
		switch {
		case e.Step == archive.StepMatch:
			return false
		case e.Step == archive.StepChoose && e.Actor == actor:
			return true
		}
	}
	return false
}
