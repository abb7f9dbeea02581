package archive

import (
	"context"
	"errors"
	"fmt"
)

// Fencer ends an abandoned first write of a chain; it is an ErrConflict when
// the chain exists after all.
type Fencer interface {
	Fence(ctx context.Context, id string) error
}

// ClaimKeeper gives claims back.
type ClaimKeeper interface {
	Holder(ctx context.Context, kind, value string) (string, error)
	Release(ctx context.Context, kind, value, owner string) error
}

// Abandon makes sure that the commit a job was planned for never comes to be,
// and then frees the claims made for it. The order matters: a claim that is
// freed while its writer may still commit could be given out twice. It is an
// ErrConflict when the commit has happened.
func Abandon(ctx context.Context, chain Fencer, claims ClaimKeeper, job Job) error {
	if err := chain.Fence(ctx, job.Ref.ID); err != nil {
		return fmt.Errorf("fence: %w", err)
	}
	for _, c := range job.Claims {
		holder, err := claims.Holder(ctx, c.Kind, c.Value)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("release claim: %w", err)
		}
		if id, _ := OnceHeld(holder, ""); id != job.Ref.ID {
			continue
		}
		if err := claims.Release(ctx, c.Kind, c.Value, holder); err != nil {
			return fmt.Errorf("release claim: %w", err)
		}
	}
	return nil
}
