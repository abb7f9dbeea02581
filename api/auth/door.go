package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/oklog/ulid/v2"

	"dangan/archive"
)

// An account is closed for a while after so many attempts to sign in, from wherever
// they come and whichever replica they reach.
const (
	mostAttempts = 8
	lockTime     = 10 * time.Minute
	mostSessions = 20
)

// door is what is known about the signing-in to one account, as its state keeps it.
type door struct {
	Attempts int               `json:"attempts,omitempty"` // since the last success
	Since    time.Time         `json:"since,omitzero"`
	Step     int64             `json:"step,omitempty"` // of the last code that was used
	Sessions []archive.Session `json:"sessions,omitempty"`
}

func doorName(account string) string { return "account/" + account }

// readDoor is the door of an account, without the sessions that have ended.
func (k *Keeper) readDoor(ctx context.Context, account string) (door, error) {
	var d door
	if _, err := readState(ctx, k.c.States, doorName(account), &d); err != nil {
		return d, fmt.Errorf("sessions: %w", err)
	}
	d.dropEnded(k.c.Now())
	return d, nil
}

func (d *door) dropEnded(now time.Time) {
	d.Sessions = slices.DeleteFunc(d.Sessions, func(s archive.Session) bool { return !now.Before(s.Ends) })
}

// change applies edit to the door of an account, again when somebody else was faster.
func (k *Keeper) change(ctx context.Context, account string, edit func(*door) error) error {
	err := changeState(ctx, k.c.States, doorName(account), func(d *door) error {
		d.dropEnded(k.c.Now())
		return edit(d)
	})
	if err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	return nil
}

// knock counts an attempt before anything is checked, so that many at once are no
// way around the limit.
func (k *Keeper) knock(ctx context.Context, account string) error {
	return k.change(ctx, account, func(d *door) error {
		now := k.c.Now()
		if now.Sub(d.Since) >= lockTime {
			d.Attempts, d.Since = 0, now
		}
		if d.Attempts++; d.Attempts > mostAttempts {
			return fmt.Errorf("sign in: %w", ErrTooMany)
		}
		return nil
	})
}

// decoy is the account that a user name without one is taken for. There are 65536:
// attempts on them are counted like others, strangers cannot fill the store with
// them, and nobody is fast enough to lock many.
func (k *Keeper) decoy(user string) archive.Account {
	m := hmac.New(sha256.New, k.c.Key)
	m.Write([]byte("decoy\n" + user))
	var id ulid.ULID
	copy(id[14:], m.Sum(nil))
	return archive.Account{ID: id.String(), Password: k.nobody}
}
