package auth

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"strings"

	"dangan/archive"
)

// Tokens say what they are: one that setup made for an account, or the key of an
// agency, which also names its account and so takes one read to check.
const (
	tokenPrefix = "dgt_"
	keyPrefix   = "dgk_"
)

// NewKey makes the secret of a key of an account, and the form of it that is kept.
func NewKey(random io.Reader, account string) (secret, kept string, err error) {
	return newSecret(random, keyPrefix+account+"_")
}

// Key is NewKey with the Keeper's randomness.
func (k *Keeper) Key(account string) (secret, kept string, err error) {
	return NewKey(k.c.Rand, account)
}

// bearer is the owner of a token or key.
func (k *Keeper) bearer(ctx context.Context, token string) (archive.Actor, error) {
	hash := TokenHash(token)
	rest, isKey := strings.CutPrefix(token, keyPrefix)
	id, _, _ := strings.Cut(rest, "_")
	switch {
	case isKey && !archive.ValidID(id):
		return Anonymous(), fmt.Errorf("key: %w", archive.ErrUnauthenticated)
	case !isKey:
		var err error
		if id, err = k.holder(ctx, hash); err != nil {
			return Anonymous(), unknown("token", err)
		}
	}
	a, err := k.account(ctx, id)
	if err != nil {
		return Anonymous(), err
	}
	if !isKey && a.Token == hash { // it may have been replaced since
		return a.Actor(k.c.Person), nil
	}
	for _, key := range a.Keys {
		if isKey && subtle.ConstantTimeCompare([]byte(key.Hash), []byte(hash)) == 1 && key.Good(k.c.Now()) {
			actor := a.Actor(k.c.Person)
			actor.Grant = key.Grant
			return actor, nil
		}
	}
	return Anonymous(), fmt.Errorf("token: %w", archive.ErrUnauthenticated)
}

// mostHolders bounds what is remembered of whose tokens are.
const mostHolders = 10_000

// holder is the account that a token was made for. That never changes, so it is
// remembered, and a request with a known token takes one read: of its account.
func (k *Keeper) holder(ctx context.Context, hash string) (string, error) {
	if id, ok := k.holders.Load(hash); ok {
		return id.(string), nil
	}
	id, err := k.c.Claims.Holder(ctx, archive.ClaimToken, hash)
	if err != nil {
		return "", err
	}
	if k.held.Add(1) > mostHolders {
		k.holders.Clear()
		k.held.Store(1)
	}
	k.holders.Store(hash, id)
	return id, nil
}
