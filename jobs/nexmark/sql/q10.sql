select auction, bidder, price, date_time as dt, extra,
  strftime(epoch_ms(date_time), '%Y-%m-%d') as day, strftime(epoch_ms(date_time), '%H:%M') as minute
from bid
