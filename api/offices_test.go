package api

import (
	"context"
	"errors"
	"testing"
	"time"

	"dangan/archive"
)

func TestOfficesAreRememberedForAWhile(t *testing.T) {
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	asked, away := 0, errors.New("away")
	offices := remembered(func(context.Context) ([]archive.Office, error) {
		asked++
		if asked == 1 {
			return nil, away
		}
		return []archive.Office{{ID: "qc"}}, nil
	}, func() time.Time { return now })
	if _, err := offices(t.Context()); !errors.Is(err, away) {
		t.Errorf("%v", err)
	}
	for range 3 {
		if list, err := offices(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("%v %v", list, err)
		}
	}
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	now = now.Add(officesKept)
	if _, err := offices(t.Context()); err != nil || asked != 3 {
		t.Errorf("%v, asked %d times", err, asked)
	}
}
