package web

import (
	"context"
	"io"
	"iter"
	"net/http"

	"dangan/api/auth"
	"dangan/archive"
)

// Holdings takes records in and opens them (package archive/holdings).
type Holdings interface {
	// Deposit commits a record with its files. With a key, repeating the same
	// deposit returns the same record.
	Deposit(ctx context.Context, actor archive.Actor, key string, r archive.Record, files iter.Seq2[archive.Upload, error]) (archive.RecordView, error)
	Open(ctx context.Context, actor archive.Actor, p archive.Purpose, id string) (archive.RecordView, error)
	// Reveal is Open with every number in full.
	Reveal(ctx context.Context, actor archive.Actor, p archive.Purpose, id string) (archive.RecordView, error)
	Versions(ctx context.Context, actor archive.Actor, p archive.Purpose, id string) ([]archive.Version[archive.Record], error)
}

// Files releases the files of records.
type Files interface {
	// File gives file n (from 1). One that is still being checked is an
	// archive.ErrState.
	File(ctx context.Context, actor archive.Actor, p archive.Purpose, id string, n int) (archive.File, archive.Content, error)
	// Page draws a page (from 1) of file n as a PNG width pixels wide.
	Page(ctx context.Context, actor archive.Actor, p archive.Purpose, id string, n, page, width int) ([]byte, error)
}

// Searcher finds records. Exact forms answer even when it is archive.ErrUnavailable
// for everything else.
type Searcher interface {
	Search(ctx context.Context, actor archive.Actor, q archive.Query) (archive.Hits, error)
}

// Desk handles requests (package archive/desk).
type Desk interface {
	Submit(ctx context.Context, actor archive.Actor, key string, r archive.Request) (archive.Version[archive.Request], error)
	Request(ctx context.Context, actor archive.Actor, id string) (archive.Version[archive.Request], error)
	// Requests lists, newest first, what the actor may see.
	Requests(ctx context.Context, actor archive.Actor, f archive.RequestFilter) ([]archive.Version[archive.Request], error)
	// Move takes a request a step further from entry n, the one the actor has seen.
	Move(ctx context.Context, actor archive.Actor, id string, n int, m archive.Move) (archive.Version[archive.Request], error)
	// Candidates says in ranked whether the search engine took part.
	Candidates(ctx context.Context, actor archive.Actor, id string) (list []archive.Candidate, ranked bool, err error)
}

// Certificates shows and changes issued certificates (package archive/certificates).
type Certificates interface {
	Certificate(ctx context.Context, actor archive.Actor, number string) (archive.Version[archive.Certificate], error)
	PDF(ctx context.Context, actor archive.Actor, number string) (archive.Content, error)
	Revoke(ctx context.Context, actor archive.Actor, number, reason string) error
	Supersede(ctx context.Context, actor archive.Actor, number, successor, reason string) error
	Reseal(ctx context.Context, actor archive.Actor, number string) error
}

// Choices is where the pages of a certified copy are chosen (package archive/desk).
type Choices interface {
	// Choice is a request for copies with its record; archive.ErrState without one.
	Choice(ctx context.Context, actor archive.Actor, id string) (archive.Version[archive.Request], archive.RecordView, error)
}

// Drafts shows what a certified copy will be (package archive/certificates).
type Drafts interface {
	// Draft writes the PDF of a request for copies; archive.ErrState while no pages
	// are chosen.
	Draft(ctx context.Context, actor archive.Actor, request string, w io.Writer) error
}

// Verifier answers anyone about a certificate.
type Verifier interface {
	Verify(ctx context.Context, number, code string) (archive.Verification, error)
	VerifyPDF(ctx context.Context, pdf []byte) (archive.Verification, error)
}

// Lookup answers agencies (package archive/lookup).
type Lookup interface {
	Ask(ctx context.Context, actor archive.Actor, q archive.Question) (archive.Answer, error)
}

// Evidence lists traces, newest first, older than the one with id before.
type Evidence interface {
	// SealCase lets nobody be warned of an inquiry: its accesses are in Own late.
	SealCase(ctx context.Context, actor archive.Actor, p archive.Purpose) error
	// Own are those of the records about the actor, as the actor may know of them;
	// next is where to go on, empty at the end.
	Own(ctx context.Context, actor archive.Actor, before string) (list []archive.Seen, next string, err error)
	Accesses(ctx context.Context, actor archive.Actor, before string, limit int) ([]archive.Access, error)
}

// Sessions signs people in and out (package api/auth).
type Sessions interface {
	SignIn(ctx context.Context, t auth.Attempt) (*http.Cookie, error)
	SignOut(ctx context.Context, a archive.Actor) (*http.Cookie, error)
}

// Self changes what an actor signs in with (package api/auth). Every change but
// ConfirmSecond asks for the present password.
type Self interface {
	Sessions(ctx context.Context, account string) ([]archive.Session, error)
	EndSession(ctx context.Context, account, id string) error
	SetPassword(ctx context.Context, a archive.Actor, current, next string, from auth.Attempt) (*http.Cookie, error)
	BeginSecond(ctx context.Context, a archive.Actor, current string) (secret, address string, err error)
	ConfirmSecond(ctx context.Context, a archive.Actor, code string) (recovery []string, err error)
	DropSecond(ctx context.Context, a archive.Actor, current string) error
}

// People keeps accounts (package archive/people). None shows a secret that is not new.
type People interface {
	Own(ctx context.Context, a archive.Actor) (archive.Version[archive.Account], error)
	Declare(ctx context.Context, a archive.Actor, relatives []archive.IDNumber) (archive.Version[archive.Account], error)
	Enrol(ctx context.Context, a archive.Actor, citizen archive.Account) (v archive.Version[archive.Account], password string, err error)
	Readmit(ctx context.Context, a archive.Actor, citizen archive.Account) (v archive.Version[archive.Account], password string, err error)
	Administration
}

// Administration is the part of People that is for administrators. n is the entry of
// the account that the actor has seen.
type Administration interface {
	Account(ctx context.Context, a archive.Actor, id string) (archive.Version[archive.Account], error)
	Find(ctx context.Context, a archive.Actor, user string) (archive.Version[archive.Account], error)
	List(ctx context.Context, a archive.Actor, list, before string) (all []archive.Version[archive.Account], next string, err error)
	Propose(ctx context.Context, a archive.Actor, account archive.Account) (v archive.Version[archive.Account], password string, err error)
	Repost(ctx context.Context, a archive.Actor, id string, n int, post archive.Post) (archive.Version[archive.Account], error)
	Renew(ctx context.Context, a archive.Actor, id string, n int) (v archive.Version[archive.Account], password string, err error)
	Rule(ctx context.Context, a archive.Actor, id string, n int, r archive.Ruling) (archive.Version[archive.Account], error)
	Grant(ctx context.Context, a archive.Actor, id string, n int, key archive.Key) (v archive.Version[archive.Account], secret string, err error)
	Withdraw(ctx context.Context, a archive.Actor, id string, n int, key string) (archive.Version[archive.Account], error)
}
