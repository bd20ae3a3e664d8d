import { ApiError } from '../api/client';
import { t } from '../base/i18n';
import { Icon } from '../base/icons';

export function Problem({ error, again }: { error: Error; again: () => void }) {
  const known = error instanceof ApiError;
  return (
    <div class="notice bad" role="alert"><Icon name="warn" />
      <span>{known ? error.message : t('error.network')}{known && error.hint && <em> {error.hint}</em>}</span>
      <button class="link" onClick={again}>{t('error.again')}</button>
    </div>
  );
}
