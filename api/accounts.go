package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"dangan/archive"
)

// accountView is an account as administrators and its owner see it.
type accountView struct {
	archive.Account
	Version int `json:"version"`
}

type accountOutput struct {
	ETag string `header:"ETag" doc:"The entry number."`
	Body accountView
}

func showAccount(v archive.Version[archive.Account]) *accountOutput {
	return &accountOutput{ETag: etag(v.N), Body: accountView{v.Value, v.N}}
}

type madeOutput struct {
	Body struct {
		Account accountView `json:"account"`
		First   string      `json:"first_password" doc:"Kept nowhere else: hand it over, and have it changed."`
	}
}

type proposeInput struct {
	Body struct {
		User     string           `json:"user"`
		Name     string           `json:"name"`
		IDNumber archive.IDNumber `json:"id_number,omitzero" doc:"Required of staff."`
		Role     archive.Role     `json:"role" doc:"Of staff, or agency."`
		Office   string           `json:"office,omitempty" doc:"Required of staff."`
		Quota    int              `json:"quota,omitempty" minimum:"0" doc:"Questions of an agency a day; 0 is no limit."`
	}
}

type enrolInput struct {
	Body struct {
		User     string           `json:"user"`
		Name     string           `json:"name"`
		IDNumber archive.IDNumber `json:"id_number"`
	}
}

type findInput struct {
	Body struct {
		User   string `json:"user,omitempty" doc:"One account, by its user name."`
		List   string `json:"list,omitempty" enum:"staff,agency" doc:"Or a list, newest first."`
		Before string `json:"before,omitempty" doc:"Going on after the account with this id."`
	}
}

type accountList struct {
	Body struct {
		Accounts []accountView `json:"accounts"`
		Next     string        `json:"next,omitempty" doc:"What before is for the next page; absent on the last."`
	}
}

type postInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" doc:"The entry number it was read at. Required."`
	Body    struct {
		Role   archive.Role `json:"role"`
		Office string       `json:"office,omitempty"`
	}
}

type renewInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" doc:"The entry number it was read at. Required."`
}

type ruleInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" doc:"The entry number it was read at. Required."`
	Body    archive.Ruling
}

type grantInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" doc:"The entry number it was read at. Required."`
	Body    struct {
		Label   string        `json:"label,omitempty"`
		Grant   archive.Grant `json:"grant,omitzero" doc:"What the key may be used for; an empty list narrows nothing."`
		Expires time.Time     `json:"expires" doc:"Within two years."`
	}
}

type grantOutput struct {
	ETag string `header:"ETag" doc:"The entry number."`
	Body struct {
		Account accountView `json:"account"`
		Secret  string      `json:"secret" doc:"The key. It is shown this once."`
	}
}

type withdrawInput struct {
	ID      string `path:"id"`
	IfMatch string `header:"If-Match" doc:"The entry number it was read at. Required."`
	Body    struct {
		Key string `json:"key" doc:"Id of the key."`
	}
}

// addAccounts registers what administrators do.
func (s *Server) addAccounts() {
	tags := []string{"accounts"}
	operate(s, archive.ActPropose, huma.Operation{
		OperationID: "propose-account", Method: http.MethodPost, Path: "/api/v1/accounts", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Make an account of staff or an agency, to be confirmed by the security administrator",
	}, s.proposeAccount)
	operate(s, archive.ActEnrol, huma.Operation{
		OperationID: "enrol-citizen", Method: http.MethodPost, Path: "/api/v1/citizens", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Make an account for a citizen whose identity document was seen at the counter",
	}, s.enrolCitizen)
	operate(s, archive.ActAccounts, huma.Operation{
		OperationID: "find-accounts", Method: http.MethodPost, Path: "/api/v1/accounts/search", Tags: tags, Summary: "Accounts, without their secrets",
	}, s.findAccounts)
	operate(s, archive.ActAccounts, huma.Operation{
		OperationID: "get-account", Method: http.MethodGet, Path: "/api/v1/accounts/{id}", Tags: tags, Summary: "An account, without its secrets",
	}, func(ctx context.Context, a archive.Actor, in *struct {
		ID string `path:"id"`
	}) (*accountOutput, error) {
		return accountOr(s.c.People.Account(ctx, a, in.ID))
	})
	operate(s, archive.ActPropose, huma.Operation{
		OperationID: "propose-post", Method: http.MethodPost, Path: "/api/v1/accounts/{id}/post", Tags: tags, Summary: "Propose another post for an account",
	}, func(ctx context.Context, a archive.Actor, in *postInput) (*accountOutput, error) {
		n, err := seen(in.ID, in.IfMatch)
		if err != nil {
			return nil, err
		}
		return accountOr(s.c.People.Repost(ctx, a, in.ID, n, archive.Post{Role: in.Body.Role, Office: in.Body.Office}))
	})
	operate(s, archive.ActEnrol, huma.Operation{
		OperationID: "readmit-citizen", Method: http.MethodPost, Path: "/api/v1/citizens/readmit", Tags: tags,
		Summary: "Give a citizen whose identity document was seen at the counter a new first password",
	}, func(ctx context.Context, a archive.Actor, in *enrolInput) (*madeOutput, error) {
		return madeOr(s.c.People.Readmit(ctx, a, archive.Account{User: in.Body.User, Name: in.Body.Name, IDNumber: in.Body.IDNumber}))
	})
	operate(s, archive.ActPropose, huma.Operation{
		OperationID: "renew-password", Method: http.MethodPost, Path: "/api/v1/accounts/{id}/password", Tags: tags,
		Summary: "Give an account a new first password, and lock it until the security administrator unlocks it",
	}, func(ctx context.Context, a archive.Actor, in *renewInput) (*madeOutput, error) {
		n, err := seen(in.ID, in.IfMatch)
		if err != nil {
			return nil, err
		}
		return madeOr(s.c.People.Renew(ctx, a, in.ID, n))
	})
	operate(s, archive.ActConfirm, huma.Operation{
		OperationID: "rule-account", Method: http.MethodPost, Path: "/api/v1/accounts/{id}/rulings", Tags: tags,
		Summary: "Confirm a post, lock, unlock, end sessions, correct relatives",
	}, func(ctx context.Context, a archive.Actor, in *ruleInput) (*accountOutput, error) {
		n, err := seen(in.ID, in.IfMatch)
		if err != nil {
			return nil, err
		}
		return accountOr(s.c.People.Rule(ctx, a, in.ID, n, in.Body))
	})
	s.addKeys(tags)
}

// addKeys registers what becomes of the keys of agencies.
func (s *Server) addKeys(tags []string) {
	operate(s, archive.ActKeys, huma.Operation{
		OperationID: "grant-key", Method: http.MethodPost, Path: "/api/v1/accounts/{id}/keys", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary: "Make a key for an agency",
	}, s.grantKey)
	operate(s, archive.ActKeys, huma.Operation{
		OperationID: "withdraw-key", Method: http.MethodPost, Path: "/api/v1/accounts/{id}/keys/withdraw", Tags: tags, Summary: "Revoke a key of an agency",
	}, func(ctx context.Context, a archive.Actor, in *withdrawInput) (*accountOutput, error) {
		n, err := seen(in.ID, in.IfMatch)
		if err != nil {
			return nil, err
		}
		return accountOr(s.c.People.Withdraw(ctx, a, in.ID, n, in.Body.Key))
	})
}

// seen is the entry of an account that the client has seen.
func seen(id, match string) (int, error) {
	if err := validID(id); err != nil {
		return 0, err
	}
	return ifMatch(match)
}

func accountOr(v archive.Version[archive.Account], err error) (*accountOutput, error) {
	if err != nil {
		return nil, outdated(err)
	}
	return showAccount(v), nil
}

func (s *Server) proposeAccount(ctx context.Context, a archive.Actor, in *proposeInput) (*madeOutput, error) {
	b := in.Body
	return madeOr(s.c.People.Propose(ctx, a, archive.Account{User: b.User, Name: b.Name, IDNumber: b.IDNumber, Quota: b.Quota,
		Proposed: archive.Post{Role: b.Role, Office: b.Office}}))
}

func (s *Server) enrolCitizen(ctx context.Context, a archive.Actor, in *enrolInput) (*madeOutput, error) {
	return madeOr(s.c.People.Enrol(ctx, a, archive.Account{User: in.Body.User, Name: in.Body.Name, IDNumber: in.Body.IDNumber}))
}

func madeOr(v archive.Version[archive.Account], password string, err error) (*madeOutput, error) {
	if err != nil {
		return nil, outdated(err)
	}
	out := &madeOutput{}
	out.Body.Account, out.Body.First = accountView{v.Value, v.N}, password
	return out, nil
}

func (s *Server) findAccounts(ctx context.Context, a archive.Actor, in *findInput) (*accountList, error) {
	out := &accountList{}
	out.Body.Accounts = []accountView{}
	if in.Body.User != "" {
		v, err := s.c.People.Find(ctx, a, in.Body.User)
		if err != nil {
			return nil, err
		}
		out.Body.Accounts = append(out.Body.Accounts, accountView{v.Value, v.N})
		return out, nil
	}
	list, next, err := s.c.People.List(ctx, a, in.Body.List, in.Body.Before)
	if err != nil {
		return nil, err
	}
	for _, v := range list {
		out.Body.Accounts = append(out.Body.Accounts, accountView{v.Value, v.N})
	}
	out.Body.Next = next
	return out, nil
}

func (s *Server) grantKey(ctx context.Context, a archive.Actor, in *grantInput) (*grantOutput, error) {
	n, err := seen(in.ID, in.IfMatch)
	if err != nil {
		return nil, err
	}
	v, secret, err := s.c.People.Grant(ctx, a, in.ID, n, archive.Key{Label: in.Body.Label, Grant: in.Body.Grant, Expires: in.Body.Expires})
	if err != nil {
		return nil, outdated(err)
	}
	out := &grantOutput{ETag: etag(v.N)}
	out.Body.Account, out.Body.Secret = accountView{v.Value, v.N}, secret
	return out, nil
}
