package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"dangan/api/auth"
	"dangan/archive"
)

type sessionList struct {
	Body struct {
		Sessions []archive.Session `json:"sessions" doc:"Oldest first."`
		Current  string            `json:"current,omitempty" doc:"Id of the one this request came with."`
	}
}

// proofInput is the password that who changes credentials proves to know.
type proofInput struct {
	Body struct {
		Current string `json:"current" doc:"The present password."`
	}
}

type passwordInput struct {
	Body struct {
		Current  string `json:"current" doc:"The present password."`
		Password string `json:"password" doc:"Ten characters or more."`
	}
}

type cookieOutput struct {
	Cookie http.Cookie `header:"Set-Cookie" doc:"A new session: the change has ended all others."`
}

type seenList struct {
	Body struct {
		Accesses []archive.Seen `json:"accesses" doc:"Newest first. A page may be short, or empty, and have a next all the same."`
		Next     string         `json:"next,omitempty" doc:"Page token of the next page; absent on the last."`
	}
}

type secretOutput struct {
	Body struct {
		Secret  string `json:"secret" doc:"In base32."`
		Address string `json:"address" doc:"The same as authenticators take it over (otpauth)."`
	}
}

type recoveryOutput struct {
	Body struct {
		Recovery []string `json:"recovery" doc:"Codes for when the device is lost, each good once. They are shown this once."`
	}
}

// addMe registers what everybody does about the own account.
func (s *Server) addMe() {
	tags := []string{"me"}
	self := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1/me" + path, Tags: tags, Summary: summary}
	}
	operate(s, archive.ActSelf, self("get-me", http.MethodGet, "", "The own account"),
		func(ctx context.Context, a archive.Actor, _ *struct{}) (*accountOutput, error) {
			return accountOr(s.c.People.Own(ctx, a))
		})
	operate(s, archive.ActSelf, self("list-sessions", http.MethodGet, "/sessions", "Where one is signed in"), s.sessions)
	operate(s, archive.ActSelf, self("end-session", http.MethodPost, "/sessions/end", "End one session"),
		func(ctx context.Context, a archive.Actor, in *struct {
			Body struct {
				ID string `json:"id"`
			}
		}) (*struct{}, error) {
			return nil, s.c.Self.EndSession(ctx, a.ID, in.Body.ID)
		})
	operate(s, archive.ActSelf, self("set-password", http.MethodPost, "/password", "Change the own password"), s.setPassword)
	operate(s, archive.ActSelf, self("begin-second-factor", http.MethodPost, "/second-factor", "Get a secret for an authenticator"), s.beginSecond)
	operate(s, archive.ActSelf, self("confirm-second-factor", http.MethodPost, "/second-factor/confirm", "Turn the second factor on with a code"), s.confirmSecond)
	operate(s, archive.ActSelf, self("drop-second-factor", http.MethodPost, "/second-factor/drop", "Turn the second factor off"),
		func(ctx context.Context, a archive.Actor, in *proofInput) (*struct{}, error) {
			return nil, s.c.Self.DropSecond(ctx, a, in.Body.Current)
		})
	operate(s, archive.ActSelf, self("declare-relatives", http.MethodPost, "/relatives", "Declare relatives whose matters one must not handle"),
		func(ctx context.Context, a archive.Actor, in *struct {
			Body struct {
				Relatives []archive.IDNumber `json:"relatives"`
			}
		}) (*accountOutput, error) {
			return accountOr(s.c.People.Declare(ctx, a, in.Body.Relatives))
		})
	operate(s, archive.ActOwnAccesses, self("list-own-accesses", http.MethodGet, "/accesses", "Who saw the records about oneself, when and why"), s.ownAccesses)
	operate(s, archive.ActSealCase, huma.Operation{
		OperationID: "seal-case", Method: http.MethodPost, Path: "/api/v1/accesses/seals", Tags: []string{"accesses"},
		Summary: "Let nobody be warned of an inquiry, by its case number",
	}, func(ctx context.Context, a archive.Actor, in *struct{ Body archive.Purpose }) (*struct{}, error) {
		return nil, s.c.Evidence.SealCase(ctx, a, in.Body)
	})
	operate(s, archive.ActReveal, huma.Operation{
		OperationID: "reveal-record", Method: http.MethodPost, Path: "/api/v1/records/{id}/reveal", Tags: []string{"records"},
		Summary: "A record with its numbers in full, for a purpose with a case number",
	}, s.reveal)
}

func (s *Server) sessions(ctx context.Context, a archive.Actor, _ *struct{}) (*sessionList, error) {
	list, err := s.c.Self.Sessions(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	out := &sessionList{}
	out.Body.Sessions, out.Body.Current = append([]archive.Session{}, list...), a.Session
	return out, nil
}

func (s *Server) setPassword(ctx context.Context, a archive.Actor, in *passwordInput) (*cookieOutput, error) {
	c, err := s.c.Self.SetPassword(ctx, a, in.Body.Current, in.Body.Password, auth.Attempt{})
	if err != nil {
		return nil, outdated(err)
	}
	return &cookieOutput{*c}, nil
}

func (s *Server) beginSecond(ctx context.Context, a archive.Actor, in *proofInput) (*secretOutput, error) {
	out := &secretOutput{}
	var err error
	out.Body.Secret, out.Body.Address, err = s.c.Self.BeginSecond(ctx, a, in.Body.Current)
	return out, err
}

func (s *Server) confirmSecond(ctx context.Context, a archive.Actor, in *struct {
	Body struct {
		Code string `json:"code"`
	}
}) (*recoveryOutput, error) {
	out := &recoveryOutput{}
	var err error
	out.Body.Recovery, err = s.c.Self.ConfirmSecond(ctx, a, in.Body.Code)
	return out, err
}

func (s *Server) ownAccesses(ctx context.Context, a archive.Actor, in *struct {
	Page string `query:"page" doc:"The next of the page before."`
}) (*seenList, error) {
	if in.Page != "" && !archive.ValidID(in.Page) {
		return nil, archive.Problems{{Code: "bad_value", Field: "page"}}
	}
	list, next, err := s.c.Evidence.Own(ctx, a, in.Page)
	if err != nil {
		return nil, err
	}
	out := &seenList{}
	out.Body.Accesses, out.Body.Next = append([]archive.Seen{}, list...), next
	return out, nil
}

func (s *Server) reveal(ctx context.Context, a archive.Actor, in *struct {
	ID   string `path:"id"`
	Body archive.Purpose
}) (*recordOutput, error) {
	if err := validID(in.ID); err != nil {
		return nil, err
	}
	v, err := s.c.Holdings.Reveal(ctx, a, in.Body, in.ID)
	if err != nil {
		return nil, hidden(err)
	}
	return showRecord(v), nil
}
