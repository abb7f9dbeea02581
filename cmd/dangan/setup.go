package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/peterbourgon/ff/v4"

	"dangan/api/auth"
	"dangan/archive"
	"dangan/archive/people"
	"dangan/storage"
)

// newcomer is an account to be made. Password and Token are made up when empty.
type newcomer struct {
	archive.Account
	Password string `json:"password,omitempty"`
	Token    string `json:"token,omitempty"`
}

// plan is the file that `dangan setup` reads: the offices and the first accounts.
type plan struct {
	Offices  []archive.Office `json:"offices"`
	Accounts []newcomer       `json:"accounts"`
}

func setupCommand(c console) *ff.Command {
	var s settings
	flags := s.flags("setup")
	return &ff.Command{
		Name: "setup", Usage: "dangan setup [FLAGS] FILE.json", ShortHelp: "make the offices and accounts of a file, where they are not there yet", Flags: flags,
		Exec: func(ctx context.Context, args []string) error { return s.setup(ctx, c, flags, args) },
	}
}

// setup prints, for every account that it made, a line of JSON with the
// password and token, which are stored nowhere else.
func (s *settings) setup(ctx context.Context, c console, flags *ff.FlagSet, args []string) error {
	if len(args) != 1 {
		return errors.New("setup takes one file")
	}
	if err := s.load(c, flags); err != nil {
		return err
	}
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var p plan
	if err := json.Unmarshal(raw, &p); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	bucket, _, err := s.openBucket(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	out := json.NewEncoder(c.stdout)
	return p.apply(ctx, bucket, newIDs(), func(n newcomer) error {
		return out.Encode(map[string]string{"user": n.User, "role": string(n.Role), "password": n.Password, "token": n.Token})
	})
}

// apply makes what is not there yet, and tells of every account it made.
// Running it again, also after a crash half way, is harmless.
func (p plan) apply(ctx context.Context, b *storage.Bucket, newID func() string, made func(newcomer) error) error {
	offices := storage.NewChain[archive.Office](b, archive.KindOffice)
	for _, o := range p.Offices {
		if !archive.ValidID(o.ID) {
			return fmt.Errorf("office: %q is not an identifier", o.ID)
		}
		if err := offices.Append(ctx, o.ID, 1, o); err != nil && !errors.Is(err, archive.ErrConflict) {
			return err
		}
	}
	accounts := storage.NewChain[archive.Account](b, archive.KindAccount)
	room := people.New(people.Config{Accounts: accounts, Claims: b.Claims(), Marks: b.Marks(), Now: time.Now, NewID: newID})
	for _, n := range p.Accounts {
		fresh, err := n.make(ctx, room)
		if err != nil {
			return fmt.Errorf("account %s: %w", n.User, err)
		}
		if fresh {
			if err := made(n); err != nil {
				return err
			}
		}
	}
	return nil
}

// make creates the account, unless its user name is taken by one that exists.
func (n *newcomer) make(ctx context.Context, room *people.Room) (fresh bool, err error) {
	if taken, err := room.Taken(ctx, n.User); err != nil || taken {
		return false, err
	}
	if err := n.invent(); err != nil {
		return false, err
	}
	account := n.Account
	account.Token = auth.TokenHash(n.Token)
	account.IDNumber = archive.NewIDNumber(n.IDNumber.Type, n.IDNumber.Original)
	if account.Password, err = auth.HashPassword(rand.Reader, n.Password); err != nil {
		return false, err
	}
	return true, room.Install(ctx, account)
}

func (n *newcomer) invent() error {
	token, _, err := auth.NewToken(rand.Reader)
	if err != nil {
		return err
	}
	if n.Token == "" {
		n.Token = token
	}
	if n.Password == "" {
		n.Password = firstPassword()
	}
	return nil
}
